"""Looking after the database: plans of every statement, indexes, copies to rehearse on, and data made up for them."""
