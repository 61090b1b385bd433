"""What is done again and again: plain functions over the ledger, with `now` as an argument."""
