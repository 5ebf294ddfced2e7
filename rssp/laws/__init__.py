"""Probability laws of one random vector."""

from rssp.laws.base import Law
from rssp.laws.scalar import FromScipy, GatedProduct, Mixture, Normal, Product, Uniform

__all__ = ["FromScipy", "GatedProduct", "Law", "Mixture", "Normal", "Product", "Uniform"]
