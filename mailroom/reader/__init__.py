"""Reading other people's mail: bytes become values, whatever stands in them."""
