"""`toss`: Toss Payments' own webhooks, which its API confirms. Contract C is `tosspayments`."""
