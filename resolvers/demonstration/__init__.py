"""Synthetic data for the demonstration, and what routing makes of them."""
