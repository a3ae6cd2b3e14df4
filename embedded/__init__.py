"""Stands aside: Neo4j from jars and Redis from a wheel as processes of their own; everybody else sees a URI."""
