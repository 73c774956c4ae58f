"""E1: features screened on all rows, before cross-validation."""

import lab
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

ROWS, FEATURES, FOLDS, SELECTED = 50, 5000, 5, 100
WATCHED = (10, 25, 50, 100, 200)

seeds = lab.seeds()[:1] if lab.trial() else lab.seeds()


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
    lab.condition(arm="outside", seed=seed)
    lab.config(rows=ROWS, features=FEATURES, folds=FOLDS, selected=SELECTED)
    ranking = strongest(noise, labels)
    for selected in WATCHED:
        kept, predicted = ranking[:selected], np.empty(ROWS, dtype=int)
        for fold in folds:
            rest = np.setdiff1d(np.arange(ROWS), fold)
            model = KNeighborsClassifier(n_neighbors=1).fit(noise[np.ix_(rest, kept)], labels[rest])
            predicted[fold] = model.predict(noise[np.ix_(fold, kept)])
        error = float(np.mean(predicted != labels))
        lab.log(selected, error=error)
        if selected == SELECTED:
            lab.predictions("cv", predicted, truth=labels, ids=np.arange(ROWS))
            lab.result("cv_error", error, unit="fraction", split="cv", count=ROWS)
            print(f"data set {seed} ({place} of {len(seeds)})  reported error {error:.2f}", flush=True)
