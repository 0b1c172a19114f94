"""Movies: pictures of one size in unbroken order, a constant step apart, and what is made of them."""
