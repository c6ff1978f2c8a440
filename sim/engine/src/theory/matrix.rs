//! Small dense matrices: as much as the exact solution of a Markov chain needs.

/// A square matrix, row by row.
#[derive(Clone, Debug)]
pub struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

impl Matrix {
    /// All zeros.
    #[must_use]
    pub fn zero(size: usize) -> Matrix {
        Matrix { size, cells: vec![0.0; size * size] }
    }

    /// The identity.
    #[must_use]
    pub fn identity(size: usize) -> Matrix {
        let mut matrix = Matrix::zero(size);
        for i in 0..size {
            matrix.cells[i * size + i] = 1.0;
        }
        matrix
    }

    /// Number of rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// A cell.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    /// Adds to a cell.
    pub fn add(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.size + column] += value;
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.size..(row + 1) * self.size]
    }

    /// Product. Zeros of the left side cost nothing.
    #[must_use]
    pub fn times(&self, right: &Matrix) -> Matrix {
        let mut result = Matrix::zero(self.size);
        for i in 0..self.size {
            let out = &mut result.cells[i * self.size..(i + 1) * self.size];
            for (k, &left) in self.row(i).iter().enumerate().filter(|(_, left)| **left != 0.0) {
                for (cell, &value) in out.iter_mut().zip(right.row(k)) {
                    *cell += left * value;
                }
            }
        }
        result
    }

    /// Sum with a multiple of another matrix.
    #[must_use]
    pub fn plus(&self, factor: f64, other: &Matrix) -> Matrix {
        let cells = self.cells.iter().zip(&other.cells).map(|(a, b)| a + factor * b).collect();
        Matrix { size: self.size, cells }
    }

    /// Solves `self * x = right` for all columns of `right`, by elimination with row pivots.
    ///
    /// # Panics
    /// If the matrix is singular.
    #[must_use]
    pub fn solve(mut self, mut right: Matrix) -> Matrix {
        let n = self.size;
        for column in 0..n {
            let largest = (column..n)
                .max_by(|&a, &b| self.at(a, column).abs().total_cmp(&self.at(b, column).abs()))
                .expect("there is a row left");
            assert!(self.at(largest, column) != 0.0, "singular matrix");
            for j in 0..n {
                self.cells.swap(column * n + j, largest * n + j);
                right.cells.swap(column * n + j, largest * n + j);
            }
            let pivot = 1.0 / self.at(column, column);
            scale(&mut self.cells[column * n..(column + 1) * n], pivot);
            scale(&mut right.cells[column * n..(column + 1) * n], pivot);
            let (own, other) = (self.row(column).to_vec(), right.row(column).to_vec());
            for row in (0..n).filter(|&row| row != column) {
                let factor = self.at(row, column);
                if factor != 0.0 {
                    subtract(&mut self.cells[row * n..(row + 1) * n], factor, &own);
                    subtract(&mut right.cells[row * n..(row + 1) * n], factor, &other);
                }
            }
        }
        right
    }

    /// Row vector times matrix.
    #[must_use]
    pub fn left(&self, vector: &[f64]) -> Vec<f64> {
        let mut result = vec![0.0; self.size];
        for (i, &weight) in vector.iter().enumerate() {
            for (cell, &value) in result.iter_mut().zip(self.row(i)) {
                *cell += weight * value;
            }
        }
        result
    }

    /// Sum of the absolute values of the largest row.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let row = |i: usize| self.row(i).iter().map(|x| x.abs()).sum::<f64>();
        (0..self.size).map(row).fold(0.0, f64::max)
    }
}

fn scale(row: &mut [f64], factor: f64) {
    for cell in row {
        *cell *= factor;
    }
}

fn subtract(row: &mut [f64], factor: f64, other: &[f64]) {
    for (cell, value) in row.iter_mut().zip(other) {
        *cell -= factor * value;
    }
}
