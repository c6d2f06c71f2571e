"""`hookstream evidence`: a zip that shows a third party, such as a bank, what is known about one order."""
