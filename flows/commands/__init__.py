"""The commands of `isotherm`, a module a kind; `flows.cli` puts them together."""
