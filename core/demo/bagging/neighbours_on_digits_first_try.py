"""E2: the nearest neighbour on digits, alone and in a bag."""

import lab
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

MEMBERS = 50
TEST_FRACTION = 0.3
WATCHED = (1, 2, 3, 5, 10, 20, 30, 40, 50)

images, digits = load_digits(return_X_y=True)
seeds = lab.seeds()


def vote(bag, test):
    """The bag's answer, member by member: it averages the probabilities of its members."""
    total = 0
    for members, member in enumerate(bag.estimators_, start=1):
        total = total + member.predict_proba(images[test])
        predicted = bag.classes_[total.argmax(axis=1)]
        if members in WATCHED:
            lab.log(members, vote_error=float(np.mean(predicted != digits[test])))
    return predicted


for place, seed in enumerate(seeds, start=1):
    train, test = train_test_split(
        np.arange(len(digits)), test_size=TEST_FRACTION, random_state=seed, stratify=digits
    )
    for arm in ("single", "bagged"):
        lab.condition(data="digits", base="knn", arm=arm, seed=seed)
        lab.config(n_estimators=MEMBERS if arm == "bagged" else 1, test_fraction=TEST_FRACTION)
        lab.data("train", images[train], digits[train])
        lab.data("test", images[test], digits[test])
        model = KNeighborsClassifier(n_neighbours=1)
        if arm == "bagged":
            model = BaggingClassifier(model, n_estimators=MEMBERS, random_state=seed, n_jobs=1)
        model.fit(images[train], digits[train])
        predicted = vote(model, test) if arm == "bagged" else model.predict(images[test])
        error = float(np.mean(predicted != digits[test]))
        lab.predictions("test", predicted, truth=digits[test], ids=test)
        lab.result("test_error", error, unit="fraction", split="test", count=len(test))
        print(f"seed {seed} ({place} of {len(seeds)})  {arm:<6} 1-NN  test error {error:.4f}", flush=True)
