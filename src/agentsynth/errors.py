"""The exceptions AgentSynth raises on purpose; each message states the rule, what was found, and the remedy."""


class AgentSynthError(Exception):
    """Base of every error that AgentSynth raises on purpose."""


class InputError(AgentSynthError):
    """Something the user handed over (a file, a table, an argument) cannot be used as it is."""


class SchemaError(InputError):
    """A table does not fit the schema it is used with, or a schema contradicts itself."""


class ConfigError(InputError):
    """A parameter is unknown, of the wrong type, or out of range."""


class ScenarioError(InputError):
    """A scenario names a column, level or range that the table does not have, or cannot be read."""


class ModelFormatError(InputError):
    """A saved model is damaged, incomplete, or of a format this version does not read."""


class NotFittedError(AgentSynthError):
    """A method that needs a fitted object was called before `fit` or `load`."""


class MissingPackageError(AgentSynthError, ImportError):
    """What was asked for needs an optional package that is not installed."""
