package org.example.shapes

import kotlin.math.max

/** A closed figure. */
@Serializable
data class Shape<T>(val name: String, private val width: Int) : Base(name), Area {
    val label: String = "x"

    companion object {
        const val LIMIT = 10
    }

    override suspend fun area(scale: Double): Double {
        return helper(max(1, 2))
    }

    private fun secret() = 1

    enum class Kind { ROUND, FLAT }
}

interface Area {
    suspend fun area(scale: Double): Double
}

object Registry {
    fun add(shape: Shape<Int>) {}
}

typealias Box = Shape<Int>

fun <T> Shape<T>.helper(n: Int): Double = n.toDouble()
val answer = 42
