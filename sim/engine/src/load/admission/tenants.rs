//! Shares of a capacity among tenants.

/// One tenant at a shared capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tenant {
    /// Its claim relative to the others', above 0.
    pub weight: f64,
    /// What it offers, 0 or more.
    pub offered: f64,
}

/// Weighted max-min shares: nobody gets more than it offers, nothing is left while somebody wants
/// more, and whoever gets less than it offers gets as much per weight as anybody. One number a
/// tenant, in their order.
#[must_use]
pub fn weighted_shares(capacity: f64, tenants: &[Tenant]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..tenants.len()).collect();
    // Who is content with the least per weight is served first. Equal tenants keep their order.
    let want = |index: usize| tenants[index].offered / tenants[index].weight;
    order.sort_by(|&a, &b| want(a).total_cmp(&want(b)));
    // Weights from the back, so that the last tenant's part is exactly what is left.
    let mut weights: Vec<f64> = order.iter().map(|&index| tenants[index].weight).collect();
    for place in (1..weights.len()).rev() {
        weights[place - 1] += weights[place];
    }
    let mut shares = vec![0.0; tenants.len()];
    let mut left = capacity.max(0.0);
    for (&index, weight) in order.iter().zip(weights) {
        let tenant = tenants[index];
        assert!(tenant.weight > 0.0 && tenant.offered >= 0.0, "tenants have weights and offers");
        shares[index] = tenant.offered.min(left * (tenant.weight / weight));
        left = (left - shares[index]).max(0.0);
    }
    shares
}
