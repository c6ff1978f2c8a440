//! The whole Internet at once: who reaches a prefix by which path, on a graph of all ASes.
//!
//! Every AS prefers routes from customers to those from peers, peers over route servers and
//! providers, then shorter paths. It announces routes from customers to everybody, others to
//! customers only. Among equally good next hops the one with the lowest AS number is announced;
//! the whole set decides where traffic leaves
//! (see [`exit`]).

mod announce;
mod build;
mod change;
pub mod exit;
mod explain;
mod generate;
mod graph;
mod many;
mod settle;
mod solution;
mod solve;
mod terms;

pub use announce::{Announcements, Class, Control, InvalidRoutes, Seed, Trouble, Validity, Zombie};
pub use build::GraphError;
pub use explain::{Heard, Inquiry};
pub use generate::generate;
pub use graph::{AsGraph, Link, Relation};
pub use many::solve_many;
pub use solution::{NextHop, PATH_LENGTH_MAX, Routes, Solution, Unsettled};
pub use solve::Workspace;

impl Solution {
    /// Solves for one prefix. `workspace` may be used again.
    ///
    /// # Errors
    /// If routing does not settle, or not in one state. This cannot happen while everybody prefers
    /// and exports routes by relation.
    pub fn solve(
        graph: &AsGraph,
        announcements: &Announcements,
        workspace: &mut Workspace,
    ) -> Result<Solution, Unsettled> {
        if !announcements.is_gao_rexford(graph) {
            return settle::settle(graph, announcements);
        }
        let mut solution = Solution::default();
        solve::solve_into(graph, announcements, workspace, &mut solution);
        Ok(solution)
    }
}
