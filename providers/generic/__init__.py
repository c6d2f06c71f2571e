"""Contract A: any sender that signs with the shop's secret."""
