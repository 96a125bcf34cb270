"""The distributions of the conformance kit's tests, installed for one test."""

from ..testing.conftest import publish as publish
