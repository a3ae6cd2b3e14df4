// Predictions by their cell of the grid of recency, frequency and money, e.g. 543.
// params: none
// returns: nothing
// mode: write
CREATE INDEX prediction_rfm IF NOT EXISTS FOR (n:Prediction) ON (n.brand, n.rfm_cell, n.id);
