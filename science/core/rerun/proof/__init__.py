"""Harm done to runs on purpose, and counted: does what is said of reruns hold?"""
