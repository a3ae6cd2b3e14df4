"""Tenants: brands, their API keys and webhook endpoints."""
