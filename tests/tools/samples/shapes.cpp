#include <vector>
namespace geo::flat {

/// A closed figure.
template <typename T, int N>
class Shape : public Base {
public:
    Shape();
    virtual ~Shape() {}
    double area(double scale) const override;
    static int count;
    T operator+(const T& other) const { return add(other); }
    operator bool() const;
private:
    int hidden_;
    void secret() {}
    enum class Kind { Round, Flat };
};

}  // namespace

template <>
double Shape<int>::area(double scale) const {
    return this->unit() * std::max(scale, 1.0);
}

using Box = Shape<int, 2>;
auto answer = 42;
struct Point { int x, y; };
