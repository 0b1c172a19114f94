"""The models that can be trained: MODELS names each one's builder, imported only when asked for."""

FIELD_MODELS: dict[str, str] = {
    "convlstm": "models.convlstm:build",
}
STATION_MODELS: dict[str, str] = {
    "linear_map": "models.linear_map:build",
    "dense": "models.dense:build",
    "pooled_dense": "models.pooled_dense:build",
    "conv1d": "models.conv1d:build",
    "simple_rnn": "models.simple_rnn:build",
    "stacked_simple_rnn": "models.stacked_simple_rnn:build",
    "lstm": "models.lstm:build",
    "lstm_dropout": "models.lstm_dropout:build",
    "stacked_gru": "models.stacked_gru:build",
    "bidirectional_lstm": "models.bidirectional_lstm:build",
}
RECORD_MODELS: dict[str, str] = {
    "lstm_classifier": "models.lstm_classifier:build",
}
MOVIE_MODELS: dict[str, str] = {
    "next_frame": "models.next_frame:build",
    "conv_lstm_hybrid": "models.conv_lstm_hybrid:build",
    "encoder_forecaster": "models.encoder_forecaster:build",
}
TEXT_MODELS: dict[str, str] = {
    "text_simple_rnn": "models.text_simple_rnn:build",
    "text_lstm": "models.text_lstm:build",
    "text_lstm_dropout": "models.text_lstm_dropout:build",
    "text_conv_lstm": "models.text_conv_lstm:build",
}
MODELS: dict[str, str] = {**FIELD_MODELS, **STATION_MODELS, **RECORD_MODELS, **TEXT_MODELS, **MOVIE_MODELS}
