"""E1: where the test error of the minimum-norm fit peaks."""

import lab
import numpy as np
from sklearn.datasets import load_digits

ROWS = 200
WIDTH = 0.4
NARROW = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
THRESHOLD = (0.9, 0.95, 0.98, 0.99, 0.995, 1.0, 1.005, 1.01, 1.02, 1.05, 1.1)
WIDE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
RATIOS = NARROW + THRESHOLD + WIDE

images, digits = load_digits(return_X_y=True)
images, targets = images / 16, np.eye(10)[digits]
seeds = lab.seeds()[:1] if lab.trial() else lab.seeds()


def random_features(rows, directions, shifts):
    """Random Fourier features of a Gaussian kernel."""
    return np.cos(rows @ directions * WIDTH + shifts) * np.sqrt(2 / len(shifts))


for place, seed in enumerate(seeds, start=1):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    train, test = order[:ROWS], order[ROWS : 2 * ROWS]
    most = round(ROWS * max(RATIOS))
    directions = rng.normal(size=(images.shape[1], most))
    shifts = rng.uniform(0, 2 * np.pi, most)
    lab.condition(arm="min_norm", seed=seed)
    lab.config(rows=ROWS, ridge=0.0, ratios=len(RATIOS))
    lab.data("train", images[train], digits[train])
    lab.data("test", images[test], digits[test])
    errors = []
    for ratio in RATIOS:
        count = round(ROWS * ratio)
        features = random_features(images[train], directions[:, :count], shifts[:count])
        weights = np.linalg.lstsq(features, targets[train], rcond=None)[0]
        fitted = random_features(images[test], directions[:, :count], shifts[:count]) @ weights
        errors.append(float(np.mean((fitted - targets[test]) ** 2)))
        lab.log(ratio, test_mse=errors[-1])
    peak = RATIOS[int(np.argmax(errors))]
    lab.result("peak_ratio", peak, unit="features per row", split="test", count=len(test))
    lab.result("narrow_mse", min(errors[: len(NARROW)]), split="test", count=len(test))
    lab.result("wide_mse", errors[-1], split="test", count=len(test))
    print(f"seed {seed} ({place} of {len(seeds)})  peak at {peak:g}, widest {errors[-1]:.4f}", flush=True)
