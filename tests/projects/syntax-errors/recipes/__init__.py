"""Recipes, and how many they feed."""
