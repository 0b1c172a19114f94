"""The models that can be trained: MODELS names each one's builder, imported only when asked for."""

MODELS: dict[str, str] = {
    "convlstm": "models.convlstm:build",
}
