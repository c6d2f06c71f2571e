"""The webhook log: what came, what became of it, what was announced and mailed; statistics and live balances."""
