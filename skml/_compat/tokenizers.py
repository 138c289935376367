"""The one door to names of the library tokenizers that may change; imports nothing."""


def read_specials_as_text(backend):
    """Let text that spells a special token be text; whether that is possible.

    A property of tokenizers 0.15 to 0.23. Without it, an AttributeError stops the fit,
    as "[SEP]" in a text would end it.
    """
    if not hasattr(backend, "encode_special_tokens"):
        raise AttributeError("tokenizers reads special tokens in texts as such.")
    backend.encode_special_tokens = True


def word_starts(backend):
    """The parts of a tokenizer that put a blank before a word, and whether they do.

    A sequence has its parts by position since tokenizers 0.21; seen to 0.23. Without
    it, the first of a list of words has no blank, as is the tokenizer's own choice.
    """
    parts = backend.pre_tokenizer
    if parts is None:
        return []
    parts = parts if hasattr(parts, "__getitem__") else [parts]
    return [
        (part, part.add_prefix_space)
        for part in parts
        if hasattr(part, "add_prefix_space")
    ]
