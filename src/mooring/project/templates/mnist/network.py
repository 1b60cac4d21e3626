"""The network's shape, how it learns, and how it leaves PyTorch: as a plain ONNX graph with its weights inside."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

# Channels, kernel, stride of each convolution: strides instead of pooling keep one picture at about 2 million
# multiplications, some 50 microseconds of one core.
LAYERS = ((24, 5, 2), (48, 3, 2), (48, 3, 1), (64, 3, 2))
OPSET = 17


class Network(nn.Module):
    """28 x 28 pictures, float32 [n, 1, 28, 28] from 0 to 1, to ten scores each, float32 [n, 10]."""

    def __init__(self):
        super().__init__()
        channels, stages, side = 1, [], 28
        for width, kernel, stride in LAYERS:
            stages.append(nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False))
            stages.append(nn.BatchNorm2d(width))
            channels, side = width, (side - 1) // stride + 1
        self.stages = nn.ModuleList(stages)
        self.scores = nn.Linear(channels * side * side, 10)

    def forward(self, x):
        """Return the scores; drops some features at random while learning."""
        for convolution, norm in zip(self.stages[::2], self.stages[1::2], strict=True):
            x = functional.relu(norm(convolution(x)))
        return self.scores(functional.dropout(x.flatten(1), 0.3, self.training))


def varied(pictures, generator):
    """Return the pictures turned, slanted, scaled, moved, and written with thinner, thicker and softer pens.

    `pictures` is float32 [n, 1, 28, 28]; the result is of the same shape.
    """
    n = len(pictures)

    def around(middle, spread, *shape):
        return middle + spread * (2 * torch.rand(n, *shape, generator=generator) - 1)

    turn, slant, scale = around(0, 0.22), around(0, 0.25), around(1.02, 0.13, 2)
    matrix = torch.zeros(n, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = scale[:, 0] * turn.cos(), scale[:, 0] * (slant - turn.sin())
    matrix[:, 1, 0], matrix[:, 1, 1] = scale[:, 1] * turn.sin(), scale[:, 1] * turn.cos()
    matrix[:, :, 2] = around(0, 0.1, 2)  # of half a side: 1.4 pixels
    grid = functional.affine_grid(matrix, pictures.shape, align_corners=False)
    pictures = functional.grid_sample(pictures, grid, align_corners=False)
    pen = torch.rand(n, 1, 1, 1, generator=generator)
    how_much = torch.rand(n, 1, 1, 1, generator=generator)
    thick = functional.max_pool2d(pictures, 3, 1, 1)
    thin = -functional.max_pool2d(-pictures, 2, 1, 1)[:, :, :28, :28]
    soft = functional.avg_pool2d(pictures, 3, 1, 1)
    other = torch.where(pen < 0.2, thick, torch.where(pen < 0.35, thin, torch.where(pen < 0.5, soft, pictures)))
    return torch.lerp(pictures, other, how_much)


def learnt(pictures, labels, *, epochs, seed=0, batch=250):
    """Return a network that has learnt from `pictures` float32 [n, 28, 28] and `labels` [n]; same seed, same network.

    What is returned is the running mean of the weights, which does better than the last of them.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    pictures, labels = torch.from_numpy(pictures)[:, None], torch.from_numpy(labels.astype(np.int64))
    network = Network()
    mean = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=epochs * (len(labels) // batch))
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(labels), generator=generator).split(batch):
            if len(chosen) < batch:
                continue
            scores = network(varied(pictures[chosen], generator))
            loss = functional.cross_entropy(scores, labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
            total += loss.item() * batch / len(labels)
        print(f"epoch {epoch + 1} of {epochs}: loss {total:.4f}")
    return mean.module.eval()


def exported(network):
    """Return the network as the bytes of an ONNX file: input "picture", output "scores", any number of pictures."""
    nodes, weights, flow = [], [], "picture"

    def weight(name, value):
        weights.append(numpy_helper.from_array(value.detach().numpy().astype(np.float32), name))
        return name

    for i, (convolution, norm) in enumerate(zip(network.stages[::2], network.stages[1::2], strict=True)):
        # While learning, each convolution is followed by a scaling of its channels; here it is multiplied in.
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        inputs = [
            flow,
            weight(f"kernel{i}", convolution.weight * factor[:, None, None, None]),
            weight(f"bias{i}", norm.bias - norm.running_mean * factor),
        ]
        pads, strides = [convolution.padding[0]] * 4, list(convolution.stride)
        nodes.append(helper.make_node("Conv", inputs, [f"conv{i}"], pads=pads, strides=strides))
        nodes.append(helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"]))
        flow = f"relu{i}"
    last = [weight("score_weights", network.scores.weight), weight("score_bias", network.scores.bias)]
    nodes.append(helper.make_node("Flatten", [flow], ["features"]))
    nodes.append(helper.make_node("Gemm", ["features", *last], ["scores"], transB=1))
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 1, 28, 28])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "digits", [picture], [scores], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()
