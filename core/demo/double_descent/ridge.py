"""E2: what a ridge penalty does at the interpolation threshold."""

import lab
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

ROWS = 200
WIDTH = 0.4
PENALTY = 0.1
NARROW = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
THRESHOLD = (0.9, 0.95, 0.98, 0.99, 0.995, 1.0, 1.005, 1.01, 1.02, 1.05, 1.1)
WIDE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
RATIOS = NARROW + THRESHOLD + WIDE

images, digits = load_digits(return_X_y=True)
images, targets = images / 16, np.eye(10)[digits]
seeds = lab.seeds()


def random_features(rows, directions, shifts):
    """Random Fourier features of a Gaussian kernel."""
    return np.cos(rows @ directions * WIDTH + shifts) * np.sqrt(2 / len(shifts))


def fit(features, wanted, penalty):
    """The weights of the minimum-norm solution, or of ridge regression."""
    if penalty == 0:
        return np.linalg.lstsq(features, wanted, rcond=None)[0]
    return Ridge(alpha=penalty, fit_intercept=False).fit(features, wanted).coef_.T


for place, seed in enumerate(seeds, start=1):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    train, test = order[:ROWS], order[ROWS : 2 * ROWS]
    most = round(ROWS * max(RATIOS))
    directions = rng.normal(size=(images.shape[1], most))
    shifts = rng.uniform(0, 2 * np.pi, most)
    for arm, penalty in (("min_norm", 0.0), ("ridge", PENALTY)):
        lab.condition(arm=arm, seed=seed)
        lab.config(rows=ROWS, ridge=penalty)
        lab.data("train", images[train], digits[train])
        lab.data("test", images[test], digits[test])
        # The curve of the minimum-norm fit is measured by another experiment.
        for ratio in RATIOS if arm == "ridge" else (1.0,):
            count = round(ROWS * ratio)
            features = random_features(images[train], directions[:, :count], shifts[:count])
            weights = fit(features, targets[train], penalty)
            fitted = random_features(images[test], directions[:, :count], shifts[:count]) @ weights
            if arm == "ridge":
                lab.log(ratio, test_mse=float(np.mean((fitted - targets[test]) ** 2)))
            if ratio == 1.0:
                predicted = fitted.argmax(axis=1)
                error = float(np.mean(predicted != digits[test]))
                lab.predictions("test", predicted, truth=digits[test], ids=test)
                lab.result("test_error", error, unit="fraction", split="test", count=len(test))
        print(
            f"seed {seed} ({place} of {len(seeds)})  {arm:<8} error at the threshold {error:.3f}", flush=True
        )
