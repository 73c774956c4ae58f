"""E3: the nearest neighbour on breast cancer, alone and in a bag."""

import lab
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

MEMBERS = 50
TEST_FRACTION = 0.3
WATCHED = (1, 2, 3, 5, 10, 20, 30, 40, 50)

cells, diagnoses = load_breast_cancer(return_X_y=True)
seeds = lab.seeds()


def vote(bag, test):
    """The bag's answer, member by member: it averages the probabilities of its members."""
    total = 0
    for members, member in enumerate(bag.estimators_, start=1):
        total = total + member.predict_proba(cells[test])
        predicted = bag.classes_[total.argmax(axis=1)]
        if members in WATCHED:
            lab.log(members, vote_error=float(np.mean(predicted != diagnoses[test])))
    return predicted


for place, seed in enumerate(seeds, start=1):
    train, test = train_test_split(
        np.arange(len(diagnoses)), test_size=TEST_FRACTION, random_state=seed, stratify=diagnoses
    )
    for arm in ("single", "bagged"):
        lab.condition(data="breast_cancer", base="knn", arm=arm, seed=seed)
        lab.config(n_estimators=MEMBERS if arm == "bagged" else 1, test_fraction=TEST_FRACTION)
        lab.data("train", cells[train], diagnoses[train])
        lab.data("test", cells[test], diagnoses[test])
        model = KNeighborsClassifier(n_neighbors=1)
        if arm == "bagged":
            model = BaggingClassifier(model, n_estimators=MEMBERS, random_state=seed, n_jobs=1)
        model.fit(cells[train], diagnoses[train])
        predicted = vote(model, test) if arm == "bagged" else model.predict(cells[test])
        error = float(np.mean(predicted != diagnoses[test]))
        lab.predictions("test", predicted, truth=diagnoses[test], ids=test)
        lab.result("test_error", error, unit="fraction", split="test", count=len(test))
        print(f"seed {seed} ({place} of {len(seeds)})  {arm:<6} 1-NN  test error {error:.4f}", flush=True)
