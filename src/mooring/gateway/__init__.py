"""Someone is waiting: requests for a service, sent on to the replicas that its route names."""
