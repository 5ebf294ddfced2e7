"""Two dimensions and more: covering, certified from both sides."""
