"""Evaluation & Deployment."""
