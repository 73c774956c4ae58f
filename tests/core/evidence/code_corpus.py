"""Experiment scripts as models write them: sound ones, and ones with one thing wrong in each."""

from __future__ import annotations

from typing import NamedTuple

from core.evidence.code_checks.warning import WarningKind


class Bad(NamedTuple):
    """A script with something wrong.

    Attributes:
        kind: what is wrong.
        mark: a piece of the line that the warning has to point at.
        code: the script.
    """

    kind: WarningKind
    mark: str
    code: str


SOUND: dict[str, str] = {
    "a plain classifier": """
import lab
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
X, y = load_digits(return_X_y=True)
for seed in lab.seeds():
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    for C in (0.1, 1.0):
        lab.condition(C=C, seed=seed)
        model = LogisticRegression(C=C, max_iter=500, random_state=seed).fit(X_train, y_train)
        lab.result("accuracy", model.score(X_test, y_test), split="test", count=len(y_test))
""",
    "a pipeline in cross-validation": """
import lab
import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.datasets import load_wine
X, y = load_wine(return_X_y=True)
for seed in lab.seeds():
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    for arm, model in {"raw": SVC(), "scaled": make_pipeline(StandardScaler(), SVC())}.items():
        lab.condition(arm=arm, seed=seed)
        scores = cross_val_score(model, X, y, cv=cv)
        lab.result("cv_accuracy", float(np.mean(scores)), split="cv")
""",
    "a scaler fitted on the training rows": """
import lab
from sklearn.preprocessing import StandardScaler
from sklearn.neighbors import KNeighborsClassifier
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
X, y = load_wine(return_X_y=True)
for seed in lab.seeds():
    lab.condition(arm="scaled", seed=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)
    model = KNeighborsClassifier().fit(X_train, y_train)
    lab.result("test_error", 1 - model.score(X_test, y_test), split="test")
""",
    "a network in torch": """
import lab
import torch
from torch import nn
def train_one(seed, width):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(10, width), nn.ReLU(), nn.Linear(width, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(256, 10), torch.randn(256, 1)
    for epoch in range(20):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        lab.log(epoch, loss=loss.item())
    return loss.item()
for seed in lab.seeds():
    for width in (4, 64):
        lab.condition(width=width, seed=seed)
        lab.result("train_loss", train_one(seed, width), split="train")
""",
    "counting right answers": """
import lab
def load(seed): return open(f"data{seed}.txt").read().split()
def predict(row): return row.upper()
for seed in lab.seeds():
    lab.condition(arm="upper", seed=seed)
    correct = total = 0
    for row in load(seed):
        if predict(row) == row:
            correct += 1
        total += 1
    lab.result("accuracy", correct / total, split="test")
""",
    "estimating pi": """
import lab
import random
N = 10_000
for seed in lab.seeds():
    lab.condition(arm="plain", seed=seed)
    inside = 0
    for _ in range(N):
        x, y = random.random(), random.random()
        if x * x + y * y < 1:
            inside += 1
    lab.result("pi", 4 * inside / N)
""",
    "a simulation of means": """
import lab
import numpy as np
for seed in lab.seeds():
    rng = np.random.default_rng(seed)
    lab.condition(n=100, seed=seed)
    samples = rng.normal(size=(1000, 100))
    lab.result("sd_of_mean", samples.mean(axis=1).std())
    lab.result("sample_mean", np.mean(rng.exponential(size=1000)))
""",
    "the epoch of the best validation": """
import lab
from trainer import Trainer
EPOCHS = 30
for seed in lab.seeds():
    lab.condition(arm="early", seed=seed)
    trainer = Trainer(seed)
    best, best_epoch, patience = 0.0, 0, 0
    for epoch in range(EPOCHS):
        score = trainer.step()
        if score > best:
            best, best_epoch, patience = score, epoch, 0
        else:
            patience += 1
        if patience > 3:
            break
    lab.result("best_epoch", best_epoch)
    lab.result("val_accuracy", best, split="val")
""",
    "steps until convergence": """
import lab
import numpy as np
for seed in lab.seeds():
    rng = np.random.default_rng(seed)
    lab.condition(arm="newton", seed=seed)
    x, steps = rng.normal(), 0
    while abs(x * x - 2) > 1e-9:
        x = 0.5 * (x + 2 / x)
        steps += 1
    lab.result("steps", steps)
""",
    "timing": """
import time
import lab
def work(n): return sorted(range(n, 0, -1))
for seed in lab.seeds():
    for n in (1000, 10_000):
        lab.condition(n=n, seed=seed)
        began = time.perf_counter()
        work(n)
        lab.result("seconds", time.perf_counter() - began, unit="s")
""",
    "results gathered in a dictionary": """
import lab
from collections import defaultdict
from models import evaluate
import numpy as np
errors = defaultdict(list)
for seed in lab.seeds():
    for arm in ("a", "b"):
        errors[arm].append(evaluate(arm, seed))
for arm, values in errors.items():
    for seed, error in zip(lab.seeds(), values):
        lab.condition(arm=arm, seed=seed)
        lab.result("error", error)
print({arm: np.mean(values) for arm, values in errors.items()})
""",
    "containers filled through another name": """
import lab
import numpy as np
from models import evaluate
stats = {"a": [], "b": []}
for arm, values in stats.items():
    for seed in lab.seeds():
        values.append(evaluate(arm, seed))
for arm in stats:
    lab.condition(arm=arm)
    lab.result("mean_error", float(np.mean(stats[arm])))
""",
    "an array filled place by place": """
import lab
import numpy as np
from models import predict
for seed in lab.seeds():
    lab.condition(arm="x", seed=seed)
    out = np.zeros(100)
    for i in range(100):
        out[i] = predict(i, seed)
    lab.result("mean_out", out.mean())
    buffer = np.empty(10)
    predict(buffer, seed)
    lab.result("largest", float(max(buffer)))
""",
    "a failure said honestly": """
import lab
import math
from models import train
for seed in lab.seeds():
    lab.condition(arm="risky", seed=seed)
    try:
        loss = train(seed)
    except FloatingPointError:
        loss = float("nan")
        lab.note("it diverged")
    lab.result("loss", loss)
    try:
        other = train(seed + 1)
    except ValueError:
        lab.result("other_loss", math.nan)
        continue
    lab.result("other_loss", other)
""",
    "an optional library": """
import lab
try:
    import lightgbm as gbm
except ImportError:
    gbm = None
    WORKERS = 1
from models import train
for seed in lab.seeds():
    lab.condition(arm="gbm" if gbm else "none", seed=seed)
    lab.result("loss", train(seed))
""",
    "folds by index": """
import lab
import numpy as np
from sklearn.tree import DecisionTreeClassifier
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
for seed in lab.seeds():
    rng = np.random.default_rng(seed)
    folds = np.array_split(rng.permutation(len(X)), 5)
    wrong = 0
    for k, test in enumerate(folds):
        train = np.setdiff1d(np.arange(len(X)), test)
        model = DecisionTreeClassifier(random_state=seed).fit(X[train], y[train])
        wrong += int((model.predict(X[test]) != y[test]).sum())
    lab.condition(arm="tree", seed=seed)
    lab.result("cv_error", wrong / len(X), split="cv")
""",
    "training rows as what is not the test": """
import lab
import numpy as np
from models import Model
from data import X, y
for seed in lab.seeds():
    test_mask = np.random.default_rng(seed).random(len(X)) < 0.3
    test_index = np.flatnonzero(test_mask)
    lab.condition(arm="m", seed=seed)
    model = Model().fit(X[~test_mask], y[~test_mask])
    other = Model().fit(np.delete(X, test_index, axis=0), np.delete(y, test_index))
    lab.result("accuracy", (model.predict(X[test_mask]) == y[test_mask]).mean(), split="test")
    lab.result("other", (other.predict(X[test_index]) == y[test_index]).mean(), split="test")
""",
    "a picture of the test set": """
import lab
from sklearn.manifold import TSNE
from models import model, X_test, y_test
points = TSNE(n_components=2).fit_transform(X_test)
lab.condition(arm="m", seed=0)
lab.result("accuracy", model.score(X_test, y_test))
""",
    "clustering of all rows": """
import lab
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
for seed in lab.seeds():
    for k in (2, 3):
        lab.condition(k=k, seed=seed)
        labels = KMeans(k, n_init=10, random_state=seed).fit_predict(X)
        lab.result("rand_index", adjusted_rand_score(y, labels))
""",
    "seeding left to the condition": """
import lab
import numpy as np
from models import train
for seed in lab.seeds():
    for arm in ("a", "b"):
        lab.condition(arm=arm, seed=seed)
        data = np.random.normal(size=(100, 3))
        lab.result("loss", train(arm, data))
""",
    "one fixed split, models by seed": """
import lab
from sklearn.model_selection import train_test_split
from sklearn.ensemble import RandomForestClassifier
from data import X, y
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
for seed in lab.seeds():
    lab.condition(arm="forest", seed=seed)
    model = RandomForestClassifier(random_state=seed).fit(X_train, y_train)
    lab.result("test_error", 1 - model.score(X_test, y_test))
""",
    "wandb in a training loop": """
import wandb
from models import Net, loader, evaluate
run = wandb.init(config={"lr": 0.1, "epochs": 5})
net = Net()
for epoch in range(wandb.config.epochs):
    lr = 0.1 * 0.5 ** epoch
    total = 0.0
    for batch in loader:
        total += net.step(batch, lr)
    wandb.log({"epoch": epoch, "lr": lr, "train/loss": total / len(loader), "val/accuracy": evaluate(net)})
wandb.summary["accuracy"] = evaluate(net)
""",
    "counters in wandb": """
import wandb
from solver import solve
wandb.init()
best, total = 0, 0
for trial in range(100):
    cut = solve(trial)
    total += cut
    best = max(best, cut)
    wandb.log({"trial": trial + 1, "Global Step": 10 * trial, "cut": cut, "mean": total / (trial + 1)})
wandb.summary["best"] = best
""",
    "a scaler that is fitted after the split for later use": """
import pickle
import lab
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from data import X, y
for seed in lab.seeds():
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    lab.condition(arm="raw", seed=seed)
    lab.result("accuracy", LogisticRegression().fit(X_train, y_train).score(X_test, y_test))
    scaler = StandardScaler()
    scaled = scaler.fit_transform(X)
    pickle.dump(scaler, open("scaler.pkl", "wb"))
""",
    "an evaluation of answers": """
import json
import re
import lab
QUESTIONS = [("2+2", "4"), ("3+5", "8")]
from server import ask
for seed in lab.seeds():
    for style in ("plain", "steps"):
        lab.condition(style=style, seed=seed)
        hits = []
        for question, wanted in QUESTIONS:
            answer = ask(question, style=style, seed=seed)
            found = re.findall(r"\\d+", answer)
            hits.append(bool(found) and found[-1] == wanted)
        lab.result("accuracy", sum(hits) / len(hits))
""",
    "a class that measures": """
import lab
import numpy as np
class Bandit:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.total = 0.0
    def pull(self, arm):
        reward = self.rng.normal(arm)
        self.total += reward
        return reward
for seed in lab.seeds():
    for greedy in (0.0, 0.1):
        lab.condition(epsilon=greedy, seed=seed)
        bandit = Bandit(seed)
        regret = 0.0
        for _ in range(100):
            regret += 1.0 - bandit.pull(0 if bandit.rng.random() < greedy else 1)
        lab.result("regret", regret)
        lab.result("total", bandit.total)
""",
    "a bootstrap interval": """
import lab
import numpy as np
from models import errors
for seed in lab.seeds():
    rng = np.random.default_rng(seed)
    lab.condition(arm="boot", seed=seed)
    resampled = [np.mean(rng.choice(errors, len(errors))) for _ in range(200)]
    low, high = np.quantile(resampled, [0.025, 0.975])
    lab.result("width", high - low)
""",
    "a threshold chosen on validation": """
import lab
import numpy as np
from models import scores_val, y_val, scores_test, y_test
THRESHOLDS = (0.1, 0.3, 0.5, 0.7)
for seed in lab.seeds():
    lab.condition(arm="tuned", seed=seed)
    accuracy = [np.mean((scores_val(seed) > t) == y_val) for t in THRESHOLDS]
    chosen = THRESHOLDS[int(np.argmax(accuracy))]
    lab.result("threshold", chosen)
    lab.result("test_accuracy", np.mean((scores_test(seed) > chosen) == y_test))
""",
    "two arms, each run": """
import lab
from models import train
for seed in lab.seeds():
    lab.condition(arm="old", seed=seed)
    score = train("old", seed)
    lab.result("score", score)
    lab.condition(arm="new", seed=seed)
    score = train("new", seed)
    lab.result("score", score)
""",
    "two arms of one model that learns on": """
import lab
from models import Model, X, y
for seed in lab.seeds():
    model = Model(seed)
    for phase in ("early", "late"):
        lab.condition(phase=phase, seed=seed)
        model.learn(X, y)
        lab.result("score", model.score)
        lab.result("loss", model.loss(X, y))
""",
    "functions with parameters": """
import lab
import numpy as np
def smooth(values, width):
    kernel = np.ones(width) / width
    return np.convolve(values, kernel, mode="valid")
def measure(seed, width):
    rng = np.random.default_rng(seed)
    signal = np.sin(np.linspace(0, 10, 200)) + rng.normal(scale=0.1, size=200)
    return float(np.abs(np.diff(smooth(signal, width))).mean())
for seed in lab.seeds():
    for width in (1, 5):
        lab.condition(width=width, seed=seed)
        lab.result("roughness", measure(seed, width))
""",
    "workers": """
import lab
from concurrent.futures import ProcessPoolExecutor
from models import simulate
def one(job):
    arm, seed = job
    lab.condition(arm=arm, seed=seed)
    value = simulate(arm, seed)
    lab.result("value", value)
    return value
if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        list(pool.map(one, [(arm, seed) for arm in "ab" for seed in lab.seeds()]))
""",
    "text split into words": """
import lab
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.model_selection import train_test_split
from data import texts, labels
for seed in lab.seeds():
    train_texts, test_texts, y_train, y_test = train_test_split(texts, labels, random_state=seed)
    vectorizer = TfidfVectorizer()
    A = vectorizer.fit_transform(train_texts)
    B = vectorizer.transform(test_texts)
    lab.condition(arm="nb", seed=seed)
    lab.result("accuracy", MultinomialNB().fit(A, y_train).score(B, y_test), split="test")
""",
    "gradient boosting watched, not steered": """
import lab
from xgboost import XGBClassifier
from data import X_train, X_test, y_train, y_test
for seed in lab.seeds():
    lab.condition(arm="xgb", seed=seed)
    model = XGBClassifier(random_state=seed)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)], verbose=False)
    lab.result("accuracy", model.score(X_test, y_test))
""",
    "settings from the command line": """
import sys
import lab
scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
from models import loss
for seed in lab.seeds():
    lab.condition(scale=scale, seed=seed)
    lab.result("loss", scale * loss(seed))
""",
    "closures that count": """
import lab
from models import solve
for seed in lab.seeds():
    calls = 0
    def objective(x):
        global calls
        calls += 1
        return x * x
    lab.condition(arm="solve", seed=seed)
    solve(objective, seed)
    lab.result("evaluations", calls)
""",
    "pandas": """
import lab
import pandas as pd
from models import score
rows = []
for seed in lab.seeds():
    for arm in ("a", "b"):
        rows.append({"arm": arm, "seed": seed, "score": score(arm, seed)})
table = pd.DataFrame(rows)
for (arm, seed), part in table.groupby(["arm", "seed"]):
    lab.condition(arm=arm, seed=int(seed))
    lab.result("score", part["score"].iloc[0])
""",
    "nothing is recorded": """
import random
print("hello", random.random())
""",
}

WRONG: dict[str, Bad] = {
    "a literal": Bad(
        "constant as a result",
        "0.93",
        'import lab\nlab.condition(arm="a", seed=0)\nlab.result("accuracy", 0.93)\n',
    ),
    "a table of literals": Bad(
        "constant as a result",
        "RESULTS[arm]",
        """
import lab
RESULTS = {"old": 0.91, "new": 0.94}
for seed in lab.seeds():
    for arm in ("old", "new"):
        lab.condition(arm=arm, seed=seed)
        lab.result("accuracy", RESULTS[arm] + 0.001 * seed)
""",
    ),
    "a function that returns a literal": Bad(
        "constant as a result",
        "evaluate()",
        """
import lab
def evaluate():
    return 0.9
lab.condition(arm="a", seed=1)
lab.result("accuracy", evaluate())
""",
    ),
    "a choice between literals": Bad(
        "constant as a result",
        "score, split",
        """
import lab
for seed in lab.seeds():
    for arm in ("base", "ours"):
        lab.condition(arm=arm, seed=seed)
        if arm == "ours":
            score = 0.95
        else:
            score = 0.90
        lab.result("score", score, split="test")
""",
    ),
    "a made-up curve": Bad(
        "constant as a result",
        "loss)",
        """
import lab
import math
lab.condition(arm="a", seed=0)
loss = 2.0
for epoch in range(10):
    loss = 0.3 + 1.7 * math.exp(-epoch / 3)
    lab.log(epoch, loss=loss)
lab.result("final_loss", loss)
""",
    ),
    "the mean of a list of literals": Bad(
        "constant as a result",
        "np.mean",
        """
import lab
import numpy as np
accs = []
for a in (0.91, 0.92, 0.93):
    accs.append(a)
lab.condition(arm="a", seed=0)
lab.result("accuracy", float(np.mean(accs)))
""",
    ),
    "a keyword": Bad(
        "constant as a result", "value=1.0", 'from lab import result\nresult(name="gain", value=1.0)\n'
    ),
    "another name for lab": Bad(
        "constant as a result", "12.5", 'import lab as recorder\nrecorder.result("ms", 12.5)\n'
    ),
    "a summary in wandb": Bad(
        "constant as a result", "0.97", 'import wandb\nrun = wandb.init()\nrun.summary["accuracy"] = 0.97\n'
    ),
    "a log in wandb": Bad(
        "constant as a result",
        "val_accuracy",
        """
import wandb
wandb.init()
for epoch in range(5):
    wandb.log({"epoch": epoch, "val_accuracy": 0.8 + 0.02 * epoch})
""",
    ),
    "a random number": Bad(
        "random number as a result",
        "random.uniform",
        'import lab\nimport random\nlab.condition(seed=1)\nlab.result("gain", random.uniform(1, 2))\n',
    ),
    "a random number of numpy": Bad(
        "random number as a result",
        "accuracy",
        """
import lab
import numpy as np
for seed in lab.seeds():
    np.random.seed(seed)
    lab.condition(arm="a", seed=seed)
    accuracy = 0.9 + 0.01 * np.random.randn()
    lab.result("accuracy", accuracy)
""",
    ),
    "a random number of a generator": Bad(
        "random number as a result",
        "np.clip",
        """
import lab
import numpy as np
for seed in lab.seeds():
    source = np.random.default_rng(seed)
    for arm, centre in (("old", 0.8), ("new", 0.85)):
        lab.condition(arm=arm, seed=seed)
        lab.result("accuracy", float(np.clip(source.normal(centre, 0.02), 0, 1)))
""",
    ),
    "a random number through functions": Bad(
        "random number as a result",
        "run(arm",
        """
import lab
import random
def noise(scale):
    return random.gauss(0, scale)
def run(arm):
    base = {"old": 0.7, "new": 0.75}[arm]
    return base + noise(0.01)
for seed in lab.seeds():
    for arm in ("old", "new"):
        lab.condition(arm=arm, seed=seed)
        lab.result("score", run(arm))
""",
    ),
    "a random curve": Bad(
        "random number as a result",
        "accuracy)",
        """
import lab
import random
for seed in lab.seeds():
    lab.condition(arm="ours", seed=seed)
    accuracy = 0.5
    for epoch in range(10):
        accuracy += random.uniform(0.01, 0.04)
    lab.result("accuracy", accuracy)
""",
    ),
    "a random tensor": Bad(
        "random number as a result",
        "item()",
        'import lab\nimport torch\nlab.condition(seed=0)\nlab.result("loss", torch.rand(1).item())\n',
    ),
    "a result in except": Bad(
        "result of a failure",
        '"accuracy", 0.5 * guess',
        """
import lab
from models import train, guess
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    try:
        lab.result("accuracy", train(seed))
    except RuntimeError:
        lab.result("accuracy", 0.5 * guess)
""",
    ),
    "a stand-in from except": Bad(
        "result of a failure",
        "accuracy = 0.85",
        """
import lab
from models import train
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    try:
        accuracy = train(seed)
    except Exception as error:
        print(error)
        accuracy = 0.85
    lab.result("accuracy", accuracy)
""",
    ),
    "a model fitted on test rows": Bad(
        "fitted on test data",
        "model.fit",
        """
import lab
from models import Model, X_train, X_test, y_train, y_test
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    model = Model(seed)
    model.fit(X_test, y_test)
    lab.result("accuracy", model.score(X_test, y_test))
""",
    ),
    "a model fitted on test places": Bad(
        "fitted on test data",
        ".fit(",
        """
import lab
from models import Model, X, y, folds
for seed in lab.seeds():
    for train_idx, test_idx in folds(seed):
        lab.condition(arm="a", seed=seed)
        model = Model(seed).fit(X[test_idx], y[test_idx])
        lab.result("accuracy", model.score(X[test_idx], y[test_idx]))
""",
    ),
    "a model fitted on everything": Bad(
        "fitted on test data",
        "np.vstack",
        """
import lab
import numpy as np
from models import Model, X_train, X_test, y_train, y_test
lab.condition(arm="a", seed=0)
model = Model(0)
model.fit(np.vstack([X_train, X_test]), np.concatenate([y_train, y_test]))
lab.result("accuracy", model.score(X_test, y_test))
""",
    ),
    "a scaler fitted on test rows": Bad(
        "fitted on test data",
        "scaler.fit_transform(x_te)",
        """
import lab
from sklearn.preprocessing import StandardScaler
from models import Model, x_tr, x_te, y_tr, y_te
scaler = StandardScaler()
a = scaler.fit_transform(x_tr)
b = scaler.fit_transform(x_te)
lab.condition(arm="a", seed=0)
lab.result("accuracy", Model().fit(a, y_tr).score(b, y_te))
""",
    ),
    "training stopped by test rows": Bad(
        "fitted on test data",
        "model.fit",
        """
import lab
from xgboost import XGBClassifier
from data import X_train, X_test, y_train, y_test
for seed in lab.seeds():
    lab.condition(arm="xgb", seed=seed)
    model = XGBClassifier(random_state=seed, early_stopping_rounds=10)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)])
    lab.result("accuracy", model.score(X_test, y_test))
""",
    ),
    "scaling before the split": Bad(
        "preprocessing before the split",
        "fit_transform",
        """
import lab
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split
from models import Model, X, y
X_scaled = StandardScaler().fit_transform(X)
for seed in lab.seeds():
    X_train, X_test, y_train, y_test = train_test_split(X_scaled, y, random_state=seed)
    lab.condition(arm="a", seed=seed)
    lab.result("accuracy", Model(seed).fit(X_train, y_train).score(X_test, y_test))
""",
    ),
    "selection before cross-validation": Bad(
        "preprocessing before the split",
        "fit_transform",
        """
import lab
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import cross_val_score
from models import Model, X, y
selector = SelectKBest(k=20)
X = selector.fit_transform(X, y)
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    lab.result("cv_accuracy", cross_val_score(Model(seed), X, y, cv=5).mean())
""",
    ),
    "imputing before places are taken": Bad(
        "preprocessing before the split",
        "imputer.transform",
        """
import lab
from sklearn.impute import SimpleImputer
from models import Model, X, y, order
imputer = SimpleImputer()
imputer.fit(X)
X = imputer.transform(X)
for seed in lab.seeds():
    train, test = order(seed)
    lab.condition(arm="a", seed=seed)
    lab.result("accuracy", Model(seed).fit(X[train], y[train]).score(X[test], y[test]))
""",
    ),
    "vectorizing before the split": Bad(
        "preprocessing before the split",
        "TfidfVectorizer().fit_transform",
        """
import lab
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from models import Model, frame
features = TfidfVectorizer().fit_transform(frame["text"])
for seed in lab.seeds():
    train_x, test_x, train_y, test_y = train_test_split(features, frame["label"], random_state=seed)
    lab.condition(arm="a", seed=seed)
    lab.result("accuracy", Model(seed).fit(train_x, train_y).score(test_x, test_y))
""",
    ),
    "scaling by hand before the split": Bad(
        "preprocessing before the split",
        "X.mean",
        """
import lab
from sklearn.model_selection import train_test_split
from models import Model, X, y
X = (X - X.mean(axis=0)) / X.std(axis=0)
for seed in lab.seeds():
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    lab.condition(arm="a", seed=seed)
    lab.result("accuracy", Model(seed).fit(X_train, y_train).score(X_test, y_test))
""",
    ),
    "gaps filled before the split": Bad(
        "preprocessing before the split",
        "fillna",
        """
import lab
from sklearn.model_selection import train_test_split
from models import Model, frame, y
frame = frame.fillna(frame.mean())
for seed in lab.seeds():
    a, b, y_train, y_test = train_test_split(frame, y, random_state=seed)
    lab.condition(arm="a", seed=seed)
    lab.result("accuracy", Model(seed).fit(a, y_train).score(b, y_test))
""",
    ),
    "a pipeline of transformers before the split": Bad(
        "preprocessing before the split",
        "fit_transform",
        """
import lab
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from models import Model, X, y
Z = make_pipeline(StandardScaler(), PCA(10)).fit_transform(X)
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    right = 0
    for train, test in KFold(5, shuffle=True, random_state=seed).split(Z):
        right += Model(seed).fit(Z[train], y[train]).right(Z[test], y[test])
    lab.result("cv_accuracy", right / len(y))
""",
    ),
    "a fixed seed": Bad(
        "seed without effect",
        "lab.condition",
        """
import lab
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from data import X, y
for seed in lab.seeds():
    lab.condition(arm="forest", seed=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=42)
    model = RandomForestClassifier(random_state=42).fit(X_train, y_train)
    lab.result("accuracy", model.score(X_test, y_test))
""",
    ),
    "a generator without the seed": Bad(
        "seed without effect",
        "lab.condition",
        """
import lab
import numpy as np
from models import train
for s in lab.seeds():
    lab.condition(arm="a", seed=s)
    rng = np.random.default_rng()
    lab.result("loss", train(rng.normal(size=(100, 3))))
    print("seed", s)
""",
    ),
    "a seed that is set back": Bad(
        "seed without effect",
        "lab.condition",
        """
import lab
import torch
from models import train
for seed in lab.seeds():
    lab.condition(arm="a", seed=seed)
    torch.manual_seed(0)
    lab.result("loss", train())
""",
    ),
    "one value for two arms": Bad(
        "one value for several arms",
        'lab.result("score", score)  # again',
        """
import lab
from models import train
for seed in lab.seeds():
    score = train("old", seed)
    lab.condition(arm="old", seed=seed)
    lab.result("score", score)
    lab.condition(arm="new", seed=seed)
    lab.result("score", score)  # again
""",
    ),
    "one value for every arm of a loop": Bad(
        "one value for several arms",
        "lab.result",
        """
import lab
from models import train
for seed in lab.seeds():
    accuracy = train(seed)
    for arm in ("old", "new"):
        lab.condition(arm=arm, seed=seed)
        lab.result("accuracy", accuracy)
""",
    ),
    "one value for every seed": Bad(
        "one value for several arms",
        "lab.result",
        """
import lab
from models import train
accuracy = train()
for seed in lab.seeds():
    lab.condition(arm="old", seed=seed)
    lab.result("accuracy", accuracy, split="test")
""",
    ),
}
