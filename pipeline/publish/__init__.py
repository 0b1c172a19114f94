"""Publishing: immutable plain Zarr v3 products, and the STAC catalog that leads to them."""
