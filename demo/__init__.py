"""A simulated telecom provider with known truth, standing behind the same doors as a real one."""
