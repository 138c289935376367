"""What is too slow for the tests of metrics: long random comparisons.

    python -m benchmarks.prove_metrics

Takes some minutes and fails with an AssertionError. The tests hold a small sample.
`prove_bleu.py` does the same for BLEU and chrF.
"""

from itertools import product

from tests.metrics import test_answers, test_entity

SEEDS = range(1, 11)


def prove_answers():
    """Scores of answers are those of the plain twin, one by one."""
    for mixed, seed in product([True, False], SEEDS):
        test_answers.assert_scored_as_by_the_twin(4000, mixed, seed)
    print(f"{4000 * len(SEEDS)} questions: scores are those of the twin")


def prove_entities():
    """Entities and their scores are those of seqeval."""
    readings = list(product(test_entity.SCHEMES, test_entity.MODES))
    for reading, seed in product(readings, SEEDS):
        test_entity.assert_entities_are_those_of_seqeval(3000, *reading, seed)
        for average in test_entity.AVERAGES:
            test_entity.assert_scores_are_those_of_seqeval(
                1000, *reading, average, seed
            )
    print(f"{3000 * len(SEEDS)} sequences a scheme: entities are those of seqeval")


if __name__ == "__main__":
    prove_answers()
    prove_entities()
