"""E2: features screened on the training rows of each fold."""

import lab
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

ROWS, FEATURES, FOLDS, SELECTED = 50, 5000, 5, 100
WATCHED = (10, 25, 50, 100, 200)

seeds = lab.seeds()


def strongest(features, labels):
    """Features by the size of their correlation with the labels, the strongest first."""
    centred = features - features.mean(axis=0)
    correlation = centred.T @ (labels - labels.mean()) / features.std(axis=0)
    return np.argsort(-np.abs(correlation))


for place, seed in enumerate(seeds, start=1):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(ROWS, FEATURES))
    labels = rng.permutation(np.arange(ROWS) % 2)
    folds = np.array_split(rng.permutation(ROWS), FOLDS)
    lab.condition(arm="inside", seed=seed)
    lab.config(rows=ROWS, features=FEATURES, folds=FOLDS, selected=SELECTED)
    rests = [np.setdiff1d(np.arange(ROWS), fold) for fold in folds]
    rankings = [strongest(noise[rest], labels[rest]) for rest in rests]
    for selected in WATCHED:
        predicted = np.empty(ROWS, dtype=int)
        for fold, rest, ranking in zip(folds, rests, rankings, strict=True):
            kept = ranking[:selected]
            model = KNeighborsClassifier(n_neighbors=1).fit(noise[np.ix_(rest, kept)], labels[rest])
            predicted[fold] = model.predict(noise[np.ix_(fold, kept)])
        error = float(np.mean(predicted != labels))
        lab.log(selected, error=error)
        if selected == SELECTED:
            lab.predictions("cv", predicted, truth=labels, ids=np.arange(ROWS))
            lab.result("cv_error", error, unit="fraction", split="cv", count=ROWS)
            print(f"data set {seed} ({place} of {len(seeds)})  reported error {error:.2f}", flush=True)
