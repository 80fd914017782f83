"""Tests of the strategies and checks for other people's tests."""
