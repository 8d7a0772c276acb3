"""Runs the revisions of a project with Alembic's own API, in the project's interpreter.

Standard library, Alembic and SQLAlchemy of the project only: any CPython from 3.8 on, Alembic from 1.8, SQLAlchemy from 1.4.
"""
