"""AfterShip Tracking."""
