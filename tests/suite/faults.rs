//! Errors and faults: what AWS refuses, what gets lost, what others do meanwhile.
