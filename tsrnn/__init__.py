"""tsrnn: recurrent forecasting for sequences measured in the world."""
