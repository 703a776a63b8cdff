"""Tables with entities: users with their orders, patients with their visits; drawn as such, and steered as such."""
