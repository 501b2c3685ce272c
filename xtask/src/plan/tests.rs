//! Whole plans from facts written by hand.
