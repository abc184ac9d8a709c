"""Promise 1 from the command line: the sampler's log-probs, the scorer's, and those of another batch are the same floats.

promises.py prompts OUT                                   token prompts of many lengths
promises.py texts PROMPTS COMPLETIONS OUT                 what score reads
promises.py compare PROMPTS COMPLETIONS OTHERS SCORES     exit code 1 when a float differs
"""
import json
import random
import sys


def read(name):
    with open(name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(name, rows):
    with open(name, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def compare(prompts, completions, others, scores):
    key = lambda c: (c["prompt"], c["sample"])
    completions, others = sorted(completions, key=key), sorted(others, key=key)
    tokens = 0
    assert len(completions) == len(others) == len(scores) > 0, "rows are missing"
    for ours, other, score in zip(completions, others, scores):
        start = len(prompts[ours["prompt"]]["tokens"])
        assert ours["tokens"] == other["tokens"], f"{key(ours)}: another batch drew other tokens"
        assert ours["logprobs"] == other["logprobs"], f"{key(ours)}: another batch has other log-probs"
        scored = score["logprobs"][start : start + len(ours["tokens"])]
        worst = max(abs(a - b) for a, b in zip(ours["logprobs"], scored))
        assert ours["logprobs"] == scored, f"{key(ours)}: the scorer differs by up to {worst:.3g}"
        tokens += len(ours["tokens"])
    print(f"{tokens} log-probs of sampler, scorer and another batch are the same")


def main():
    what, *names = sys.argv[1:]
    if what == "prompts":
        rng = random.Random(1)
        lengths = [1, 2, 7, 31, 32, 33, 63, 64, 65, 70]
        write(names[0], [{"tokens": [rng.randrange(32, 120) for _ in range(n)]} for n in lengths])
    elif what == "texts":
        prompts, completions = read(names[0]), read(names[1])
        completions.sort(key=lambda c: (c["prompt"], c["sample"]))
        write(names[2], [{"tokens": prompts[c["prompt"]]["tokens"] + c["tokens"]} for c in completions])
    elif what == "compare":
        try:
            compare(*(read(name) for name in names))
        except AssertionError as error:
            print(error)
            sys.exit(1)
    else:
        sys.exit(f"promises.py: unknown command {what}")


if __name__ == "__main__":
    main()
