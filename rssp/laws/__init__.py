"""Probability laws of one random vector."""

from rssp.laws.base import Law
from rssp.laws.convolution import ConvolutionBlocks
from rssp.laws.scalar import FromScipy, GatedProduct, Mixture, Normal, Product, Uniform
from rssp.laws.vectors import (
    GroupScaledNormal,
    IndependentNormalProduct,
    NormallyScaledNormal,
    NormallyScaledUniform,
)

__all__ = [
    "ConvolutionBlocks",
    "FromScipy",
    "GatedProduct",
    "GroupScaledNormal",
    "IndependentNormalProduct",
    "Law",
    "Mixture",
    "Normal",
    "NormallyScaledNormal",
    "NormallyScaledUniform",
    "Product",
    "Uniform",
]
