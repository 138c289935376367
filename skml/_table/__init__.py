"""Reading tables: missing values, categories, weights and targets."""
