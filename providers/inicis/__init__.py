"""KG Inicis, and INIAPI."""
