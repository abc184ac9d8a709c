"""PyTorch's times of what limr_bench's cuda-gemm, cuda-attention and cuda-rows measure, as JSON lines with the same keys.

torch_times.py --shape qwen2.5-7b [--small]        runs on the GPU, or with --small on whatever there is
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

MODELS = {  # hidden, intermediate, heads, kv heads, head_dim, vocab
    "qwen2.5-0.5b": (896, 4864, 14, 2, 64, 151936),
    "qwen2.5-1.5b": (1536, 8960, 12, 2, 128, 151936),
    "qwen2.5-7b": (3584, 18944, 28, 4, 128, 152064),
    "tiny": (96, 64, 6, 2, 32, 288),
}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BF16 = {"dtype": torch.bfloat16, "device": DEVICE}


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def seconds(call, reps=10):
    """Median seconds of one call, each repetition some milliseconds of them."""
    call()
    wait()

    def once(inner):
        begin = time.perf_counter()
        for _ in range(inner):
            call()
        wait()
        return (time.perf_counter() - begin) / inner

    inner = min(200, max(1, int(5e-3 / max(once(1), 1e-7))))
    return statistics.median(once(inner) for _ in range(reps))


def row(**values):
    print(json.dumps(values), flush=True)


def guarded(section, *arguments):
    """A section that fails (no memory, say) leaves a row, and the others run."""
    try:
        section(*arguments)
    except Exception as error:  # noqa: BLE001
        row(bench="torch-failed", section=section.__name__, arguments=str(arguments), error=str(error)[:300])
    if DEVICE == "cuda":
        torch.cuda.empty_cache()


def gemm(model, ms, gradients_from):
    hidden, intermediate, heads, kv_heads, head_dim, vocab = MODELS[model]
    layers = {
        "qkv": ((heads + 2 * kv_heads) * head_dim, hidden),
        "out": (hidden, heads * head_dim),
        "gate_up": (2 * intermediate, hidden),
        "down": (hidden, intermediate),
        "head": (vocab, hidden),
    }
    for layer, (n, k) in layers.items():
        weight = torch.randn(n, k, **BF16)
        for m in ms:
            m = min(m, 1024) if layer == "head" else m
            inp = torch.randn(m, k, **BF16)

            def report(op, s):
                row(bench="torch-gemm", op=op, model=model, layer=layer, m=m, us=s * 1e6, tflops=2 * m * n * k / s / 1e12)

            report("forward", seconds(lambda: F.linear(inp, weight)))
            if m < gradients_from:
                continue
            dout = torch.randn(m, n, **BF16)
            report("dinp", seconds(lambda: dout @ weight))
            report("dweight", seconds(lambda: dout.T @ inp))


def attention(model, context, decode, train):
    _, _, heads, kv_heads, head_dim, _ = MODELS[model]
    for batch, length in [(b, 1) for b in decode] + [(b, context) for b in train]:
        q = torch.randn(batch, heads, length, head_dim, requires_grad=length > 1, **BF16)
        k, v = (torch.randn(batch, kv_heads, context, head_dim, requires_grad=length > 1, **BF16) for _ in range(2))

        def forward():
            return F.scaled_dot_product_attention(q, k, v, is_causal=length > 1, enable_gqa=True)

        flops = 4 * batch * heads * head_dim * length * (context - (length - 1) / 2)

        def report(op, s, work):
            row(bench="torch-attention", op=op, model=model, sequences=batch, context=context, us=s * 1e6, tflops=work / s / 1e12)

        with torch.no_grad():
            once = seconds(forward)
        report("decode" if length == 1 else "forward", once, flops)
        if length > 1:
            out = forward()
            dout = torch.randn_like(out)
            report("backward", seconds(lambda: torch.autograd.grad(out, (q, k, v), dout, retain_graph=True)), 2.5 * flops)


def rows(small):
    n = 1 << 16 if small else 1 << 30
    source, target = (torch.empty(n, dtype=torch.uint8, device=DEVICE) for _ in range(2))
    s = seconds(lambda: target.copy_(source))
    row(bench="torch-rows", op="copy", us=s * 1e6, gbytes=2 * n / s / 1e9)
    r, v = (3, 288) if small else (1024, 151936)
    logits, targets = torch.randn(r, v, device=DEVICE), torch.zeros(r, dtype=torch.long, device=DEVICE)
    s = seconds(lambda: F.cross_entropy(logits, targets))
    row(bench="torch-rows", op="logprob", us=s * 1e6, gbytes=r * v * 4 / s / 1e9)
    n = 1 << 12 if small else 1 << 28
    parameter = torch.zeros(n, device=DEVICE, requires_grad=True)
    parameter.grad = torch.zeros(n, device=DEVICE)
    optimizer = torch.optim.AdamW([parameter], lr=1e-6, fused=DEVICE == "cuda")
    s = seconds(optimizer.step)
    row(bench="torch-rows", op="adamw-f32", us=s * 1e6, gbytes=n * 28 / s / 1e9)


def model_steps(model, small):
    """Training step and generate of transformers, random weights, SDPA attention."""
    try:
        from transformers import Qwen2Config, Qwen2ForCausalLM
    except ImportError:
        row(bench="torch-steps", model=model, note="transformers is not installed")
        return
    hidden, intermediate, heads, kv_heads, head_dim, vocab = MODELS[model]
    layers = {"qwen2.5-0.5b": 24, "qwen2.5-1.5b": 28, "tiny": 2}.get(model)
    if layers is None:  # 7B with fp32 Adam states does not fit beside its gradients
        return
    config = Qwen2Config(
        hidden_size=hidden, intermediate_size=intermediate, num_attention_heads=heads, num_key_value_heads=kv_heads,
        num_hidden_layers=layers, vocab_size=vocab, tie_word_embeddings=True, attn_implementation="sdpa",
    )
    network = Qwen2ForCausalLM(config).to(**BF16)
    batch, length = (2, 16) if small else (16, 1024)
    ids = torch.randint(0, vocab, (batch, length), device=DEVICE)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6, fused=DEVICE == "cuda")
    network.gradient_checkpointing_enable()

    def step():
        for part in ids.split(4):  # logits of 4 x 1024 tokens at once
            network(input_ids=part, labels=part).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)

    network.train()
    s = seconds(step, reps=3)
    row(bench="torch-steps", op="train", model=model, tokens_per_s=batch * length / s)
    if DEVICE == "cuda" and model == "qwen2.5-0.5b":

        def compiled_steps():
            eager, network.forward = network.forward, torch.compile(network.forward)
            try:
                s = seconds(step, reps=3)
            finally:
                network.forward = eager
            row(bench="torch-steps", op="train, compiled", model=model, tokens_per_s=batch * length / s)

        guarded(compiled_steps)
    network.eval()
    for decode in (2,) if small else (1, 64, 256):
        prompt = torch.randint(0, vocab, (decode, 16 if small else 512), device=DEVICE)
        new = 4 if small else 32
        with torch.no_grad():
            s = seconds(lambda: network.generate(prompt, max_new_tokens=new, min_new_tokens=new, do_sample=True, pad_token_id=0), reps=2)
        row(bench="torch-steps", op="generate", model=model, sequences=decode, tokens_per_s=decode * new / s)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="qwen2.5-0.5b")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(1)
    row(bench="torch", version=torch.__version__, device=torch.cuda.get_device_name() if DEVICE == "cuda" else "cpu")
    guarded(rows, options.small)
    for model in options.shape.split(","):
        if options.small:
            guarded(gemm, model, (1, 33), 33)
            guarded(attention, model, 70, (1, 3), (2,))
        else:
            guarded(gemm, model, (1, 64, 256, 512, 4096, 16384), 256)
            guarded(attention, model, 1024, (1, 64, 256, 512), (4, 16))
        guarded(model_steps, model, options.small)


if __name__ == "__main__":
    main()
