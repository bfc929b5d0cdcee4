//! Moving items between any two layouts: plan as data, kernels as code, rayon over the parts.
