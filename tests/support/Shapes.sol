// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

library Other {
    struct Point {
        uint8 z;
    }
}

/// @notice Every shape that a binding has to know: it keeps nothing but what it was made with, and answers what it is told.
contract Shapes {
    enum Kind {
        Small,
        Large
    }

    struct Point {
        int128 x;
        uint256 y;
    }

    struct Figure {
        address owner;
        Point[] points;
        Point centre;
        bytes data;
        bytes32[2] marks;
        Kind kind;
    }

    /// @notice What it was made with.
    address public immutable MAKER;
    uint256 public immutable FACTOR;

    event Moved(address indexed from, Point to, bytes data, bytes32 indexed id, bool last);
    event Named(string indexed name, string plain);
    event Named(uint256 indexed count);
    event Nothing();
    event Indexed(Point indexed point, Other.Point[] points);

    error TooFar(Point point, uint256 limit, address[] visited);
    error Forbidden();
    /// @notice The name is taken: choose another one.
    error NameTaken(string name, bytes4 selector);

    constructor(address maker, uint256 factor) {
        MAKER = maker;
        FACTOR = factor;
    }

    receive() external payable {}

    /// @notice The same figure. Its owner is "kept" as it is, its `data` too, with a \ in it, and so long a sentence about it that
    /// it does not fit on one line any more.
    function echo(Figure calldata figure, Point[][] calldata grid)
        external
        pure
        returns (Figure memory same, Point[][] memory alsoSame)
    {
        return (figure, grid);
    }

    function figures(Figure[] calldata list) external pure returns (Figure[] memory) {
        return list;
    }

    function kinds(Kind[] calldata list) external pure returns (Kind[] memory, Kind last) {
        return (list, list[list.length - 1]);
    }

    function unnamed(uint8 a, bool) external pure returns (uint8, bool[] memory, Point memory) {
        return (a, new bool[](2), Point(-1, 2));
    }

    function nothing() external view {}

    function blockNumber() external view returns (uint256) {
        return block.number;
    }

    function pay(uint256 from, uint256 at, bytes calldata self) external payable {}

    function move(address to, uint256 value) external {}

    function move(address to, uint256 value, bytes calldata data) external {}

    function convert(uint256 value) external {}

    function convert(int256 value) external {}

    function address_() external view returns (address) {
        return MAKER;
    }

    function emitAll(Point calldata to, bytes calldata data, string calldata name) external {
        emit Moved(msg.sender, to, data, keccak256(data), true);
        emit Named(name, name);
        emit Named(7);
        emit Nothing();
        Other.Point[] memory points = new Other.Point[](1);
        points[0] = Other.Point(8);
        emit Indexed(to, points);
    }

    function fail(uint256 how) external view {
        if (how == 0) revert Forbidden();
        if (how == 1) revert NameTaken("unicode \u00fc", this.fail.selector);
        if (how == 2) revert("in words");
        if (how == 3) assert(false);
        if (how == 4) how = 10 / (how - 4);
        if (how == 5) how -= 6;
        address[] memory visited = new address[](1);
        visited[0] = MAKER;
        if (how == 6) revert TooFar(Point(-5, 6), how, visited);
        if (how == 7) how = uint160(visited[how]);
        // An error that no binding knows, and none at all.
        assembly {
            mstore(0, shl(224, 0xdeadbeef))
            revert(0, mul(4, eq(how, 8)))
        }
    }
}
