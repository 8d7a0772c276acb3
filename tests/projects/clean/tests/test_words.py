from tally import favourites, words_of


def test_an_apostrophe_does_not_end_a_word():
    assert list(words_of("Don't stop")) == ["don't", "stop"]


def test_equal_counts_are_in_the_order_of_the_alphabet():
    assert favourites("pear apple apple pear plum") == [("apple", 2), ("pear", 2), ("plum", 1)]
