"""What nginx and Varnish really do with sixty and more answers, against what our model says of them."""
